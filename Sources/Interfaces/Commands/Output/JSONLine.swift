import JSON

/// JSON that commands print, one value a line.
enum JSONLine {
    /// `{"message_type": …, "message": …}`
    static func message(_ type: String, _ text: String) -> String {
        encoded(["message_type": .string(type), "message": .string(text)])
    }

    /// The last line on standard error after a failure.
    static func exitError(code: Int32, _ text: String) -> String {
        encoded(["message_type": "exit_error", "code": .integer(Int64(code)), "message": .string(text)])
    }

    /// The text of an object. Values that JSON cannot say do not occur in what commands print.
    static func encoded(_ object: JSONObject) -> String { value(.object(object)) }

    /// The text of a value.
    static func value(_ value: JSONValue) -> String {
        (try? value.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}

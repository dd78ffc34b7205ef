import Glibc
import JSON
import JSONRPC

/// The variables of a program that a plugin runs for the host.
package enum CommandEnvironment {
    /// The variables of this process without those that the host made for the plugin itself.
    package static func inherited() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            next += 1
            let text = String(cString: entry)
            guard let sign = text.firstIndex(of: "=") else { continue }
            let name = String(text[..<sign])
            guard !name.hasPrefix("STILLPOINT_"), !name.hasPrefix("PYTHON") else { continue }
            variables[name] = String(text[text.index(after: sign)...])
        }
        return variables
    }

    /// The members of `context` as variables: `application` becomes `STILLPOINT_APPLICATION`, a list one line for each
    /// element, an object the variables of its members (`STILLPOINT_SNAPSHOT_ID`) and, where it has a `name`, one of its
    /// own. `STILLPOINT_CONTEXT` is the whole as JSON.
    package static func variables(for context: JSONObject) -> [String: String] {
        var variables: [String: String] = [:]
        add(context, prefix: "STILLPOINT", to: &variables, depth: 0)
        // An object that came over the wire has a text.
        if let text = try? JSONValue.object(context).encodedText() { variables["STILLPOINT_CONTEXT"] = text }
        return variables
    }

    private static func add(_ object: JSONObject, prefix: String, to variables: inout [String: String], depth: Int) {
        for (name, value) in object.members {
            let variable = prefix + "_" + variableName(name)
            switch value {
            case .object(let inner):
                guard depth < 3 else { continue }
                add(inner, prefix: variable, to: &variables, depth: depth + 1)
                variables[variable] = inner["name"]?.stringValue
            case .array(let elements): variables[variable] = elements.compactMap(text).joined(separator: "\n")
            default: variables[variable] = text(value)
            }
        }
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .real(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    private static func variableName(_ name: String) -> String {
        String(name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

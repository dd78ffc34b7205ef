import PluginHost
import ArgumentParser
import HostServices
import JSON
import SnapshotModel

/// `KEY=VALUE` on the command line: the configuration of a plugin.
struct ConfigSettings: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The storage plugin: its name, or the absolute path of its executable.", valueName: "plugin")
    )
    var storage: String = "filesystem"

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "A setting of the plugin; KEY:=JSON for numbers, truth values and secrets.", valueName: "key=value"))
    var settings: [String] = []

    /// Says how settings are given when the plugin does not like them.
    func explained<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as PluginHostError where error.code == .invalidConfiguration {
            throw CommandExit(
                code: .usage,
                message: "\(error); settings are given as --set KEY=VALUE, and 'stillpoint plugin describe \(storage)' "
                    + "lists them.")
        }
    }

    /// The settings as an object.
    func config() throws -> JSONObject {
        var object = JSONObject()
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
                throw ValidationError("'--set \(setting)' has no KEY=VALUE.")
            }
            var key = String(setting[..<equals])
            let text = String(setting[setting.index(after: equals)...])
            if key.hasSuffix(":") {
                key.removeLast()
                guard let value = (try? JSONValue.parse("[\(text)]"))?.arrayValue?.first else {
                    throw ValidationError("The value of '\(key)' is no JSON: '\(text)'.")
                }
                object[key] = value
            } else {
                // Paths are meant from where the command is given.
                object[key] = .string(key == "path" ? try StatePaths.absolute(text) : text)
            }
        }
        return object
    }
}

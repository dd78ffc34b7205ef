import PluginKit

/// The variables of a hook command.
enum HookEnvironment {
    static func variables(
        for parameters: HookRunParameters, _ hook: HookConfiguration.Hook, stateFile: String?
    ) -> [String: String] {
        var variables = CommandEnvironment.inherited()
        variables.merge(hook.environment) { $1 }
        variables.merge(CommandEnvironment.variables(for: parameters.context)) { $1 }
        variables["STILLPOINT_EVENT"] = parameters.event.rawValue
        variables["STILLPOINT_RUN"] = parameters.run
        variables["STILLPOINT_ATTEMPT"] = String(parameters.attempt)
        variables["STILLPOINT_DEADLINE_MS"] = String(parameters.deadlineMilliseconds)
        variables["STILLPOINT_OUTCOME"] = parameters.outcome?.rawValue
        variables["STILLPOINT_STATE"] = parameters.state
        variables["STILLPOINT_STATE_FILE"] = stateFile
        return variables
    }
}

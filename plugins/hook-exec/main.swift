import PluginKit

let plugin = Plugin(description: try HookExecPlugin.description()) { parameters, call in
    OpenedPlugin(HookRunner(try HookConfiguration(parameters), call))
}
plugin.run()

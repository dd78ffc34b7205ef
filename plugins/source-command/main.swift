import PluginKit

let plugin = Plugin(description: try SourceCommandPlugin.description()) { parameters, _ in
    OpenedPlugin(try CommandSource(parameters.config))
}
plugin.run()

import PluginKit

let plugin = Plugin(description: try FilesystemPlugin.description()) { parameters, _ in
    let store = try FilesystemStore.open(parameters)
    return OpenedPlugin(store, spoolNear: parameters.mode == .readWrite ? SpoolPath(store.base.path) : nil)
}
plugin.run()

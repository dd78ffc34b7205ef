// One import is enough to write a plugin: the values and types of the protocol are part of this module's interface.
@_exported public import JSON
@_exported public import JSONRPC
@_exported public import PluginProtocol

/// Finds the handler of a method and translates between wire and types.
struct Dispatcher: Sendable {
    let plugin: Plugin

    /// The answer to `describe`.
    func describe(_ params: JSONObject) -> Result<JSONObject, RPCError> {
        Self.outcome(of: .describe) {
            let parameters = try DescribeParameters(params)
            guard parameters.protocols.contains(plugin.description.protocolVersion) else {
                let supported = PluginProtocolVersion.supported.map { JSONValue.integer($0) }
                return .failure(
                    RPCError(
                        .unsupported,
                        "this plugin speaks version \(plugin.description.protocolVersion) of the protocol, "
                            + "which the host does not; upgrade the older of the two",
                        data: ["supported": .array(supported)]))
            }
            return .success(plugin.description.encoded)
        }
    }

    /// The handler that `open` made, or the error.
    func open(_ params: JSONObject, _ call: CallContext) -> Result<OpenedPlugin, RPCError> {
        Self.outcome(of: .open) {
            var parameters = try OpenParameters(params)
            parameters.config = try plugin.description.configSchema.resolve(parameters.config)
            return .success(try plugin.open(parameters, call))
        }
    }

    /// The answer to any other request.
    func call(
        _ method: String, _ params: JSONObject, _ handler: any PluginHandler, _ call: CallContext
    ) -> Result<JSONObject, RPCError> {
        guard let row = PluginMethod.all.first(where: { $0.name == method }) else { return Self.noSuchMethod(method) }
        return Self.outcome(of: row) {
            switch row {
            case .check: return try Self.done { try handler.check(call) }
            case .hookRun:
                guard let hook = handler as? any HookPluginHandler else { return Self.noSuchMethod(method) }
                return .success(try hook.run(HookRunParameters(params), call).encoded)
            case .sourceDump:
                guard let source = handler as? any SourcePluginHandler else { return Self.noSuchMethod(method) }
                return .success(try source.dump(SourceDumpParameters(params), call).encoded)
            case .sourceLoad:
                guard let source = handler as? any SourcePluginHandler else { return Self.noSuchMethod(method) }
                return try Self.done { try source.load(SourceLoadParameters(params), call) }
            default:
                guard let storage = handler as? any StoragePluginHandler else { return Self.noSuchMethod(method) }
                return try Self.storage(row, params, storage, call)
            }
        }
    }

    private static func storage(
        _ method: PluginMethod, _ params: JSONObject, _ storage: any StoragePluginHandler, _ call: CallContext
    ) throws -> Result<JSONObject, RPCError> {
        switch method {
        case .storagePut: .success(try storage.put(StoragePutParameters(params), call).encoded)
        case .storageGet: .success(try storage.get(StorageGetParameters(params), call).encoded)
        case .storageStat: .success(try storage.stat(StorageKeyParameters(params).key, call).encoded)
        case .storageList: .success(try storage.list(StorageListParameters(params), call).encoded)
        case .storageDelete: try done { try storage.delete(StorageKeyParameters(params).key, call) }
        default: noSuchMethod(method.name)
        }
    }

    private static func done(_ body: () throws -> Void) throws -> Result<JSONObject, RPCError> {
        try body()
        return .success([:])
    }

    private static func noSuchMethod<Success>(_ method: String) -> Result<Success, RPCError> {
        .failure(RPCError(.methodNotFound, "there is no method '\(method)' in this plugin"))
    }

    /// Runs `body` and turns whatever it throws into an error for the host.
    private static func outcome<Success>(
        of method: PluginMethod, _ body: () throws -> Result<Success, RPCError>
    ) -> Result<Success, RPCError> {
        do {
            return try body()
        } catch let failure as PluginFailure {
            return .failure(failure.rpcError)
        } catch let error as RPCError {
            return .failure(error)
        } catch let error as JSONError {
            return .failure(RPCError(.invalidParams, "\(error)"))
        } catch let error as ConfigurationError {
            return .failure(RPCError(.badConfig, "\(error)"))
        } catch {
            // A storage plugin that does not know what happened must not sound certain.
            return .failure(RPCError(method.kind == .storage ? .unavailable : .internalError, "\(error)"))
        }
    }
}

import Glibc
import JSONRPC
import PluginKit
import Testing

@Suite struct `Plugin failures` {
    @Test(
        arguments: [
            (ENOSPC, .noSpace), (EDQUOT, .noSpace), (EACCES, .permissionDenied), (EPERM, .permissionDenied),
            (EROFS, .permissionDenied), (EIO, .unavailable), (ENOENT, .unavailable), (ESTALE, .unavailable),
        ] as [(Int32, RPCErrorCode)])
    func `system errors have a class, and a missing file is never not_found`(code: Int32, expected: RPCErrorCode) {
        #expect(PluginFailure.system("open '/x'", errno: code).code == expected)
    }

    @Test func `the message has the system's words`() {
        #expect(PluginFailure.system("open '/x'", errno: ENOSPC).message == "cannot open '/x': No space left on device")
    }
}

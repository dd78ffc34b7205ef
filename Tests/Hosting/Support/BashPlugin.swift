/// A plugin in bash, good but for what a test makes of it.
enum BashPlugin {
    static let description = #"""
        {"protocol":1,"name":"hostile","version":"1","kinds":["storage","hook","source"],"limits":{"max_inflight":1}}
        """#

    /// - Parameters:
    ///   - start: runs before anything is read.
    ///   - describe: answers `describe`; `$id` is the request's id, `reply JSON` answers it.
    ///   - open: answers `open`; `$line` is the whole request.
    ///   - call: answers everything else; `$method` says what it is.
    static func script(
        start: String = "", description: String = description, describe: String = #"reply "$DESCRIPTION""#,
        open: String = "reply '{}'", call: String = "reply '{}'"
    ) -> String {
        #"""
        #!/bin/bash
        LC_ALL=C
        exec 3>&1
        DESCRIPTION='\#(description)'
        reply() { printf '{"jsonrpc":"2.0","id":"%s","result":%s}\n' "$id" "$1" >&3; }
        fail() { printf '{"jsonrpc":"2.0","id":"%s","error":{"code":%s,"message":"%s"}}\n' "$id" "$1" "$2" >&3; }
        member() { [[ $line =~ \"$1\":\"([^\"]*)\" ]] && printf '%s' "${BASH_REMATCH[1]}"; }
        \#(start)
        while IFS= read -r line; do
            [[ $line =~ \"id\":\"([^\"]*)\" ]] || continue
            id=${BASH_REMATCH[1]}
            method=$(member method)
            case $method in
            describe) \#(describe) ;;
            open) \#(open) ;;
            *) \#(call) ;;
            esac
        done
        """#
    }

    /// Answers `storage.stat` and fails everything else.
    static let stat = #"reply '{"size":7}'"#
}

import TestSupport
import Testing

extension Sandbox {
    /// Makes an application whose hooks say what they were called for, and registers it.
    ///
    /// Its volume `data` holds a few files. `backup.pre` makes the file `NAME/held` and `backup.post` removes it; every call
    /// adds a line such as `backup.pre` to `NAME/calls`. Its dump `numbers` is the text `1` to `1000`, a line each, and is
    /// loaded into the file `NAME/loaded`.
    ///
    /// - Parameter events: replaces the action of a hook event, as YAML.
    func addApplication(_ name: String, events: [String: String] = [:], spec: String = "") throws {
        let root = directory.path(name)
        try directory.write(
            """
            #!/bin/sh
            echo "$1" >> "\(root)/calls"
            case $1 in
                backup.pre) : > "\(root)/held" ;;
                backup.post) rm -f "\(root)/held" ;;
            esac
            """, to: "\(name)/hook")
        try directory.write("#!/bin/sh\nexec cat > \"\(root)/loaded\"\n", to: "\(name)/load")
        try directory.write("one\n", to: "\(name)/data/one.txt")
        try directory.write("two\n", to: "\(name)/data/folder/two.txt")
        try directory.write([UInt8](repeating: 7, count: 1_200_000), to: "\(name)/data/large.bin")
        try directory.write("port = 8080\n", to: "\(name)/settings.ini")
        let actions = ["backup.pre", "backup.post", "restore.pre", "restore.post"].map { event in
            "        \(event): \(events[event] ?? "{command: [\"\(root)/hook\", \(event)]}")"
        }
        try directory.write(
            """
            apiVersion: stillpoint/v1
            kind: Application
            metadata: {name: \(name), title: The \(name), version: 1.2.3}
            spec:
              manifests: [settings.ini]
              volumes:
                - {name: data, path: "\(root)/data", exclude: ["*.tmp"]}
              dumps:
                - name: numbers
                  plugin: command
                  config:
                    dump: {command: [seq, "1000"]}
                    load: {command: ["\(root)/load"]}
              hooks:
                - plugin: exec
                  events:
            \(actions.joined(separator: "\n"))
                  timeout: 20s
            \(spec)
            """, to: "\(name)/application.yaml")
        try run("chmod +x \(name)/hook \(name)/load && stillpoint application add \(name)/application.yaml")
    }

    /// The lines that the hooks of an application have written, without line feeds.
    func calls(of name: String) throws -> [String] {
        String(decoding: try directory.read("\(name)/calls"), as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

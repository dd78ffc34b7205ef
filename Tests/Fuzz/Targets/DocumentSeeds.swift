/// Documents as a run writes them, with every member and with the fewest.
enum DocumentSeeds {
    static let full = #"""
        {"format":1,"kind":"full","run":"01aryz6s41tsv4rrffq69g5fav","trigger":"manual",
        "started":"2026-11-22T17:16:02.123Z","finished":"2026-11-22T17:16:12.500Z","host":"web1","program_version":"0.1.0",
        "consistency":"partial","applications":[{"name":"tracker","title":"Issue Tracker","version":"2.4.1",
        "consistency":"application","restorable":true,"held_ms":850,"volumes":[{"name":"uploads","path":"/srv/up",
        "entries":1203,"bytes":734003200}],"dumps":[{"name":"database","plugin":"command","bytes":65536,
        "load_command":["sqlite3","/srv/new database"]}],"manifests":[{"path":"/srv/compose.yaml",
        "stored_path":"compose.yaml"}],"hooks":[{"plugin":"exec","event":"backup.post","outcome":"failed",
        "started":"2026-11-22T17:16:04.000Z","took_ms":7,"message":"exit 1"}]}],
        "warnings":[{"application":"wiki","path":"/srv/a`b\n","message":"cannot be read: <denied>"},{"message":"x"}]}
        """#

    static let least = #"""
        {"format":1,"kind":"partial","run":"01aryz6s41tsv4rrffq69g5fav","started":"2026-11-22T17:16:02Z",
        "finished":"2026-11-22T17:16:03Z","host":"h"}
        """#

    static let manifest = """
        apiVersion: stillpoint/v1
        kind: Application
        metadata: {name: tracker, title: "Issue Tracker", version: 2.4.1}
        spec:
          manifests: [compose.yaml, /etc/nginx/sites]
          volumes:
            - name: uploads
              path: /srv/tracker/uploads
              exclude: ["*.tmp", cache/]
          dumps:
            - name: database
              plugin: command
              config:
                dump: [sqlite3, /srv/tracker/db, .dump]
          hooks:
            - plugin: exec
              on: [backup.pre, backup.post]
              timeout: 30s
              config: {command: ["/bin/true"], env: {A: "b"}}
          group: web
          maxHold: 10m
          objectives: {rpo: 24h, rto: 1h}
          license: {publicKey: abc}
        """
}

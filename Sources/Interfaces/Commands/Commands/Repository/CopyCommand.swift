import ArgumentParser
import HostServices
import JSON
import Maintenance
import Repository
import RepositoryFormat
import SnapshotModel

struct CopyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy snapshots to another repository, or from one.",
        discussion: """
            With --to from the configured repository to the other one, with --from the other way. Snapshots that were \
            copied before are passed over, so that the same command may be given again and again. A repository that is \
            made with --init cuts files as this one does; without that the same file may be stored twice there.

            Example: stillpoint copy --to filesystem --to-set path=/mnt/usb/backup --to-password-file /etc/usb.password
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var from: FromRepository
    @OptionGroup var to: ToRepository
    @Flag(name: .customLong("init"), help: "Make the repository of --to first, unless there is one.")
    var initialize = false
    @Option(
        name: .long, parsing: .singleValue, help: ArgumentHelp("Only of this host; may be repeated.", valueName: "name")
    )
    var host: [String] = []
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("Only with this tag, or all of a,b; may be repeated.", valueName: "tag"))
    var tag: [String] = []
    @Option(name: .shortAndLong, help: ArgumentHelp("Only those that hold this application.", valueName: "name"))
    var application: String?
    @Argument(help: ArgumentHelp("Only these snapshots: ids or first digits, or 'latest'.", valueName: "snapshot"))
    var snapshots: [String] = []

    func run() throws {
        let session = CommandSession(options)
        let name = try application.map { try ApplicationName($0) }
        guard let other = try to.other() ?? from.other(), (to.plugin == nil) != (from.plugin == nil) else {
            throw ValidationError("Name the other repository by either --to PLUGIN or --from PLUGIN.")
        }
        guard !initialize || to.plugin != nil else { throw ValidationError("--init needs --to.") }
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .shared, index: to.plugin == nil) { configured in
                let opened = try open(other, host, session, like: configured.repository)
                defer { opened.close() }
                let patience = try CommandSession.patience(passwords)
                try session.holding(opened, host, lock: .shared, patience: patience, index: to.plugin != nil) {
                    opened in
                    let (source, target) = to.plugin == nil ? (opened, configured) : (configured, opened)
                    try copy(from: source.repository, to: target.repository, application: name, session)
                }
            }
        }
    }

    private func open(
        _ other: OtherRepository, _ host: Host, _ session: CommandSession, like model: OpenRepository
    ) throws -> OpenDestination {
        let password = other.passwords(session)
        if initialize {
            do {
                let made = try host.initializeOther(
                    storage: other.plugin, config: other.config, password: password, like: model)
                session.terminal.remark("made repository \(made.repository.config.id.prefix(10))")
                return made
            } catch let error as RepositoryError where error.code == .exists {}
        }
        return try host.openOther(storage: other.plugin, config: other.config, password: password)
    }

    private func copy(
        from source: OpenRepository, to target: OpenRepository, application: ApplicationName?,
        _ session: CommandSession
    ) throws {
        let terminal = session.terminal
        guard source.config.id != target.config.id else {
            throw ServiceError(.badValue, "Both are the same repository; name another with --to or --from.")
        }
        if source.config.chunkerPolynomial != target.config.chunkerPolynomial {
            terminal.remark(
                "The repositories cut files differently: what is in both may be stored twice. 'copy --init' and "
                    + "'init --copy-chunker-params' make one that cuts alike.")
        }
        let copy = SnapshotCopy(from: source, to: target, cancellation: session.cancellation) { progress in
            let total = progress.total.map { "/\($0)" } ?? ""
            terminal.progress("\(progress.phase.rawValue)  \(progress.done)\(total)")
        }
        let selected = try select(try source.snapshots(cancellation: session.cancellation), application)
        let (missing, present) = try copy.missing(of: selected)
        for (id, there) in present {
            terminal.remark("snapshot \(id.short) is there already, as \(there.short)")
        }
        let outcome = try copy.run(missing) { snapshot, id in
            if !terminal.isJSON { terminal.result("snapshot \(snapshot.id.short) copied as \(id.short)") }
        }
        terminal.progress(nil)
        show(outcome, present, terminal)
    }

    private func select(
        _ all: [OpenRepository.Snapshot], _ application: ApplicationName?
    ) throws -> [OpenRepository.Snapshot] {
        let named = try snapshots.isEmpty ? all : snapshots.map { try all.named($0) }
        let tagLists = tag.map { $0.split(separator: ",").map(String.init) }
        var seen: Set<ObjectID> = []
        return named.filter { snapshot in
            let record = snapshot.record
            return (host.isEmpty || host.contains(record.hostname))
                && (tagLists.isEmpty || tagLists.contains { $0.allSatisfy { record.tags.contains($0) } })
                && (application == nil || record.tags.contains("app:\(application?.text ?? "")"))
                && seen.insert(snapshot.id).inserted
        }
    }

    private func show(
        _ outcome: SnapshotCopy.Outcome, _ present: [(source: ObjectID, target: ObjectID)], _ terminal: Terminal
    ) {
        guard terminal.isJSON else {
            let added = Units.bytes(Int64(clamping: outcome.storedByteCount))
            return terminal.result(
                "\(outcome.copied.count) copied, \(present.count) there already; \(outcome.blobs) blobs, \(added) stored"
            )
        }
        func pairs(_ list: [(source: ObjectID, target: ObjectID)]) -> JSONValue {
            .array(
                list.map { pair in
                    .object(["source": .string(pair.source.hexadecimal), "target": .string(pair.target.hexadecimal)])
                })
        }
        terminal.result(
            JSONLine.encoded([
                "message_type": "copy", "copied": pairs(outcome.copied), "present": pairs(present),
                "blobs": .integer(Int64(clamping: outcome.blobs)),
                "bytes_added": .integer(Int64(clamping: outcome.addedByteCount)),
                "bytes_stored": .integer(Int64(clamping: outcome.storedByteCount)),
            ]))
    }
}

import Commands

runStillpoint(Array(CommandLine.arguments.dropFirst()))

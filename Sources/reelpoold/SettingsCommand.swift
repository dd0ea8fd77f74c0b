internal import ArgumentParser
internal import PoolConfig

struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "settings", abstract: "List all settings.")

    func run() {
        for setting in Settings.all {
            print("\(setting.name)\(setting.standard.map { " = \($0)" } ?? "")\n    \(setting.help)")
        }
    }
}

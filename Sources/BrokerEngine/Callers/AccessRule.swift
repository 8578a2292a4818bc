package import BrokerCore

/// One rule about callers: whom it is about, what they ask for, and whether they get it. A condition that is absent holds for everybody.
package struct AccessRule: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable { case allow, deny }

    /// For people: a rule is called by it, or by its number.
    package var name: String?
    package var action = Action.allow
    // Whom.
    package var uids: Set<UInt32> = []
    package var gids: Set<UInt32> = []
    package var executables: [Glob] = []
    package var cgroups: [Glob] = []
    package var addresses: [AddressRange] = []
    package var subjects: [Glob] = []
    package var bearers: Set<String> = []
    // What.
    package var operations: Set<RequestRecord.Operation> = []
    /// Names of keys; with a version where the pattern has a `/`.
    package var keys: [Glob] = []
    /// Configured names of stores, or their hosts.
    package var stores: [Glob] = []
    /// Most requests of one caller that this rule lets through.
    package var rate: Rate?

    package init() {}

    /// A rule that speaks of keys or stores says nothing of attestations, which have neither: whoever may have a key attested can open any
    /// key that this machine can.
    var isAboutKeys: Bool { !keys.isEmpty || !stores.isEmpty }

    func isAbout(_ caller: Caller) -> Bool {
        Self.holds(uids, caller.uid) && Self.holds(gids, caller.gid) && Self.holds(bearers, caller.bearer)
            && Self.holds(executables, caller.executable) { $0.matches($1) } && Self.holds(cgroups, caller.cgroup) { $0.matches($1) }
            && Self.holds(subjects, caller.subject) { $0.matches($1) } && Self.holds(addresses, caller.address) { $0.contains($1) }
    }

    func isAbout(_ operation: RequestRecord.Operation) -> Bool {
        (operations.isEmpty || operations.contains(operation)) && (operation.namesKey || !isAboutKeys)
    }

    func isAbout(_ question: AccessQuestion) -> Bool {
        guard isAbout(question.caller), isAbout(question.operation) else { return false }
        let names = [question.store, question.endpoint].compactMap(\.self)
        return (keys.isEmpty || keys.contains { $0.matches(question.key) })
            && (stores.isEmpty || stores.contains { store in names.contains { store.matches($0) } })
    }

    /// What is not known about a caller satisfies no condition.
    private static func holds<Value>(_ wanted: Set<Value>, _ actual: Value?) -> Bool {
        wanted.isEmpty || actual.map { wanted.contains($0) } ?? false
    }

    private static func holds<Value>(_ wanted: [Value], _ actual: String?, _ match: (Value, String) -> Bool) -> Bool {
        wanted.isEmpty || actual.map { actual in wanted.contains { match($0, actual) } } ?? false
    }
}

extension Glob {
    fileprivate func matches(_ key: KeyName?) -> Bool {
        guard let key else { return false }
        return matches(pattern.utf8.contains(UInt8(ascii: "/")) ? key.description : key.name)
    }
}

/// What somebody asks for, as far as rules see it.
package struct AccessQuestion: Sendable {
    package var caller: Caller
    package var operation: RequestRecord.Operation
    package var key: KeyName?
    /// The store's configured name, and its host.
    package var store: String?
    package var endpoint: String?

    package init(caller: Caller, operation: RequestRecord.Operation, key: KeyName? = nil, store: String? = nil, endpoint: String? = nil) {
        self.caller = caller
        self.operation = operation
        self.key = key
        self.store = store
        self.endpoint = endpoint
    }
}

/// All rules, in the order of the configuration.
package struct AccessRules: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// There are no rules, so everybody may ask for everything.
        case open
        /// The rule with this index decides.
        case decided(Int, AccessRule.Action)
        /// There are rules and none is about this.
        case unmentioned

        package var isAllowed: Bool {
            switch self {
            case .open, .decided(_, .allow): true
            case .decided(_, .deny), .unmentioned: false
            }
        }
    }

    package var rules: [AccessRule]

    package init(_ rules: [AccessRule] = []) { self.rules = rules }

    /// The first rule that is about the question decides.
    package func verdict(_ question: AccessQuestion) -> Verdict {
        guard !rules.isEmpty else { return .open }
        guard let index = rules.firstIndex(where: { $0.isAbout(question) }) else { return .unmentioned }
        return .decided(index, rules[index].action)
    }

    /// Whether this caller could be allowed this for some key: before anything of the request but its head is read.
    package func mayAsk(_ caller: Caller, _ operation: RequestRecord.Operation) -> Bool {
        guard !rules.isEmpty else { return true }
        for rule in rules where rule.isAbout(caller) && rule.isAbout(operation) {
            if rule.action == .allow { return true }
            if !rule.isAboutKeys { return false }
        }
        return false
    }

    /// How messages call the rule.
    package func name(_ index: Int) -> String { rules[index].name.map { "'\($0)'" } ?? "callers.rules[\(index)]" }
}

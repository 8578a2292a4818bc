internal import SNPReport

/// The presets that are built in (AMDEndorsements.md, "Floors").
extension FloorPreset {
    package static let builtIn: [FloorPreset] = [
        FloorPreset(
            name: "azure-fleet", date: "2026-09-30",
            source:
                "AMD-SB-3019, which Azure's Milan and Genoa hosts meet and later bulletins' floors refuse; nothing for other processors",
            rows: entrySign, othersNeedNothing: true),
        FloorPreset(
            name: "AMD-SB-3019", date: "2025-02", source: "AMD; microsoft/CCF #6812 (SNP); reviews that quote the bulletin (microcode)",
            rows: entrySign),
        FloorPreset(
            name: "AMD-SB-3020", date: "2025-10",
            source: "AMD; YAXI routex clients; for Genoa and Turin also reviews that quote the bulletin",
            rows: [
                Row([milanB1], snp: 0x1B, ucode: 0xDE), Row([milanX], snp: 0x1B, ucode: 0x45), Row([genoa], snp: 0x1B, ucode: 0x56),
                Row([genoaX], snp: 0x1B, ucode: 0x51), Row([bergamo], ucode: 0x1B), Row([turin], snp: 0x04, ucode: 0x50),
                Row([turinDense], snp: 0x04, ucode: 0x4D),
            ]),
        FloorPreset(
            name: "AMD-SB-3023", date: "2026-02", source: "AMD; YAXI routex clients (microcode), reviews that quote the bulletin (SNP)",
            rows: [
                Row([milanB1], snp: 0x1B, ucode: 0xDE), Row([milanX], snp: 0x1B, ucode: 0x47), Row([genoa], snp: 0x1B, ucode: 0x56),
                Row([genoaX], snp: 0x1B, ucode: 0x51), Row([bergamo], ucode: 0x1B), Row([turin], snp: 0x04, ucode: 0x51),
                Row([turinDense], snp: 0x04, ucode: 0x4E),
            ]),
        FloorPreset(
            name: "AMD-SB-3027", date: "", source: "AMD; one review that quotes the bulletin",
            rows: [Row([genoa], ucode: 0x56), Row([genoaX], ucode: 0x51), Row([turin], ucode: 0x51)]),
        FloorPreset(
            name: "AMD-SB-3016", date: "2026-04-14",
            source: "AMD; two policies that quote the bulletin. On Turin platform bit 6 tells; elsewhere the host's system has a part, too",
            rows: [
                Row([milanB1, milanX], snp: 0x1B), Row([genoa, genoaX], snp: 0x1B), Row([turin, turinDense], platformBits: 1 << 6),
            ]),
        FloorPreset(
            name: "AMD-SB-3030", date: "2026-05-12",
            source: "AMD; one policy that quotes the bulletin. Genoa and Turin: values not confirmed",
            rows: [Row([milanB1, milanX], snp: 0x1D)]),
        FloorPreset(
            name: "AMD-SB-3033", date: "2026", source: "AMD names a mitigation and no TCB; require its bit with a mitigation mask", rows: []
        ),
        FloorPreset(name: "AMD-SB-3034", date: "2026-04-14", source: "AMD withdrew the bulletin's TCB values on 2026-09-24", rows: []),
    ]

    private static let entrySign = [
        Row([milanB1], snp: 0x18, ucode: 0xDB), Row([milanX], snp: 0x18, ucode: 0x44), Row([genoa], snp: 0x17, ucode: 0x54),
        Row([genoaX], snp: 0x17, ucode: 0x4F), Row([bergamo], ucode: 0x19),
    ]

    private static let milanB1 = ProcessorRange(family: 0x19, models: 0x01...0x01, steppings: 1...1)
    private static let milanX = ProcessorRange(family: 0x19, models: 0x01...0x01, steppings: 2...2)
    private static let genoa = ProcessorRange(family: 0x19, models: 0x11...0x11, steppings: 1...1)
    private static let genoaX = ProcessorRange(family: 0x19, models: 0x11...0x11, steppings: 2...2)
    private static let bergamo = ProcessorRange(family: 0x19, models: 0xA0...0xA0, steppings: 2...2)
    private static let turin = ProcessorRange(family: 0x1A, models: 0x02...0x02, steppings: 1...1)
    private static let turinDense = ProcessorRange(family: 0x1A, models: 0x11...0x11, steppings: 0...0)
}

import AzureServices
import BrokerConfiguration
import Testing

@Suite("Names that configuration and identity module share") struct IdentityAgreementTests {
    @Test("the kinds of identity are the same") func kinds() {
        #expect(IdentityKind.allCases.map(\.rawValue) == AzureIdentityOptions.Use.allCases.map(\.rawValue))
    }

    @Test("the clouds are the same") func clouds() { #expect(Cloud.allCases.map(\.rawValue) == AzureCloud.allCases.map(\.rawValue)) }
}

/// A security policy for guests that were given none.
package enum SamplePolicy {
    /// A small Rego module in the form of a confidential ACI policy. Its SHA-256 is HOST_DATA of fixture reports without a policy of their
    /// own.
    package static let bytes = Array(
        """
        package policy

        api_version := "0.10.0"

        containers := [{"id": "attestation-broker fixture", "command": ["/bin/app"], "allow_elevated": false}]

        create_container := {"allowed": count(containers) == 1}
        exec_in_container := {"allowed": false}

        """.utf8)
}

// Written by generate.sh out of the .proto files.
// swift-format-ignore-file

/// The descriptors of what this server speaks, for reflection (google/protobuf/descriptor.proto, FileDescriptorProto).
enum ProtocolDescriptors {
    /// By the name of the file: its full names, and its descriptor in base64.
    static let files: [String: (symbols: Set<String>, descriptor: String)] = [
        "health.proto": (
            symbols: [
                "grpc.health.v1.HealthCheckRequest",
                "grpc.health.v1.HealthCheckResponse",
                "grpc.health.v1.Health",
                "grpc.health.v1.Health.Check",
            ],
            descriptor: """
                CgxoZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIi4KEkhlYWx0aENoZWNrUmVxdWVzdBIYCgdzZXJ2aWNlGAEgASgJUgdzZXJ2\
                aWNlIrEBChNIZWFsdGhDaGVja1Jlc3BvbnNlEkkKBnN0YXR1cxgBIAEoDjIxLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVz\
                cG9uc2UuU2VydmluZ1N0YXR1c1IGc3RhdHVzIk8KDVNlcnZpbmdTdGF0dXMSCwoHVU5LTk9XThAAEgsKB1NFUlZJTkcQARIPCgtO\
                T1RfU0VSVklORxACEhMKD1NFUlZJQ0VfVU5LTk9XThADMloKBkhlYWx0aBJQCgVDaGVjaxIiLmdycGMuaGVhbHRoLnYxLkhlYWx0\
                aENoZWNrUmVxdWVzdBojLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2ViBnByb3RvMw==
                """
        ),
        "key_provider.proto": (
            symbols: [
                "key_provider.KeyProviderKeyWrapProtocolInput",
                "key_provider.KeyProviderKeyWrapProtocolOutput",
                "key_provider.KeyProviderGetReportInput",
                "key_provider.KeyProviderGetReportOutput",
                "key_provider.KeyProviderGetAttestationDataInput",
                "key_provider.KeyProviderGetAttestationDataOutput",
                "key_provider.HelloRequest",
                "key_provider.HelloReply",
                "key_provider.KeyProviderService",
                "key_provider.KeyProviderService.WrapKey",
                "key_provider.KeyProviderService.UnWrapKey",
                "key_provider.KeyProviderService.GetReport",
                "key_provider.KeyProviderService.GetAttestationData",
                "key_provider.KeyProviderService.SayHello",
            ],
            descriptor: """
                ChJrZXlfcHJvdmlkZXIucHJvdG8SDGtleV9wcm92aWRlciJwCh9LZXlQcm92aWRlcktleVdyYXBQcm90b2NvbElucHV0Ek0KJGtl\
                eV9wcm92aWRlcl9rZXlfd3JhcF9wcm90b2NvbF9pbnB1dBgBIAEoDFIfa2V5UHJvdmlkZXJLZXlXcmFwUHJvdG9jb2xJbnB1dCJz\
                CiBLZXlQcm92aWRlcktleVdyYXBQcm90b2NvbE91dHB1dBJPCiVrZXlfcHJvdmlkZXJfa2V5X3dyYXBfcHJvdG9jb2xfb3V0cHV0\
                GAEgASgMUiBrZXlQcm92aWRlcktleVdyYXBQcm90b2NvbE91dHB1dCJQChlLZXlQcm92aWRlckdldFJlcG9ydElucHV0EjMKFnJl\
                cG9ydF9kYXRhX2hleF9zdHJpbmcYASABKAlSE3JlcG9ydERhdGFIZXhTdHJpbmciSAoaS2V5UHJvdmlkZXJHZXRSZXBvcnRPdXRw\
                dXQSKgoRcmVwb3J0X2hleF9zdHJpbmcYASABKAlSD3JlcG9ydEhleFN0cmluZyJbCiJLZXlQcm92aWRlckdldEF0dGVzdGF0aW9u\
                RGF0YUlucHV0EjUKF2I2NF9ydW50aW1lX2RhdGFfc3RyaW5nGAEgASgJUhRiNjRSdW50aW1lRGF0YVN0cmluZyK7AQojS2V5UHJv\
                dmlkZXJHZXRBdHRlc3RhdGlvbkRhdGFPdXRwdXQSIQoMZW5kb3JzZWRfdGNiGAEgASgJUgtlbmRvcnNlZFRjYhIUCgVjZXJ0cxgC\
                IAEoCVIFY2VydHMSLQoSYXR0ZXN0YXRpb25fcmVwb3J0GAMgASgJUhFhdHRlc3RhdGlvblJlcG9ydBIsChJ1dm1fcmVmZXJlbmNl\
                X2luZm8YBCABKAlSEHV2bVJlZmVyZW5jZUluZm8iIgoMSGVsbG9SZXF1ZXN0EhIKBG5hbWUYASABKAlSBG5hbWUiJgoKSGVsbG9S\
                ZXBseRIYCgdtZXNzYWdlGAEgASgJUgdtZXNzYWdlMocEChJLZXlQcm92aWRlclNlcnZpY2USaAoHV3JhcEtleRItLmtleV9wcm92\
                aWRlci5LZXlQcm92aWRlcktleVdyYXBQcm90b2NvbElucHV0Gi4ua2V5X3Byb3ZpZGVyLktleVByb3ZpZGVyS2V5V3JhcFByb3Rv\
                Y29sT3V0cHV0EmoKCVVuV3JhcEtleRItLmtleV9wcm92aWRlci5LZXlQcm92aWRlcktleVdyYXBQcm90b2NvbElucHV0Gi4ua2V5\
                X3Byb3ZpZGVyLktleVByb3ZpZGVyS2V5V3JhcFByb3RvY29sT3V0cHV0El4KCUdldFJlcG9ydBInLmtleV9wcm92aWRlci5LZXlQ\
                cm92aWRlckdldFJlcG9ydElucHV0Gigua2V5X3Byb3ZpZGVyLktleVByb3ZpZGVyR2V0UmVwb3J0T3V0cHV0EnkKEkdldEF0dGVz\
                dGF0aW9uRGF0YRIwLmtleV9wcm92aWRlci5LZXlQcm92aWRlckdldEF0dGVzdGF0aW9uRGF0YUlucHV0GjEua2V5X3Byb3ZpZGVy\
                LktleVByb3ZpZGVyR2V0QXR0ZXN0YXRpb25EYXRhT3V0cHV0EkAKCFNheUhlbGxvEhoua2V5X3Byb3ZpZGVyLkhlbGxvUmVxdWVz\
                dBoYLmtleV9wcm92aWRlci5IZWxsb1JlcGx5YgZwcm90bzM=
                """
        ),
        "keyprovider.proto": (
            symbols: [
                "keyprovider.keyProviderKeyWrapProtocolInput",
                "keyprovider.keyProviderKeyWrapProtocolOutput",
                "keyprovider.KeyProviderService",
                "keyprovider.KeyProviderService.WrapKey",
                "keyprovider.KeyProviderService.UnWrapKey",
            ],
            descriptor: """
                ChFrZXlwcm92aWRlci5wcm90bxILa2V5cHJvdmlkZXIiawofa2V5UHJvdmlkZXJLZXlXcmFwUHJvdG9jb2xJbnB1dBJICh9LZXlQ\
                cm92aWRlcktleVdyYXBQcm90b2NvbElucHV0GAEgASgMUh9LZXlQcm92aWRlcktleVdyYXBQcm90b2NvbElucHV0Im4KIGtleVBy\
                b3ZpZGVyS2V5V3JhcFByb3RvY29sT3V0cHV0EkoKIEtleVByb3ZpZGVyS2V5V3JhcFByb3RvY29sT3V0cHV0GAEgASgMUiBLZXlQ\
                cm92aWRlcktleVdyYXBQcm90b2NvbE91dHB1dDLmAQoSS2V5UHJvdmlkZXJTZXJ2aWNlEmYKB1dyYXBLZXkSLC5rZXlwcm92aWRl\
                ci5rZXlQcm92aWRlcktleVdyYXBQcm90b2NvbElucHV0Gi0ua2V5cHJvdmlkZXIua2V5UHJvdmlkZXJLZXlXcmFwUHJvdG9jb2xP\
                dXRwdXQSaAoJVW5XcmFwS2V5Eiwua2V5cHJvdmlkZXIua2V5UHJvdmlkZXJLZXlXcmFwUHJvdG9jb2xJbnB1dBotLmtleXByb3Zp\
                ZGVyLmtleVByb3ZpZGVyS2V5V3JhcFByb3RvY29sT3V0cHV0YgZwcm90bzM=
                """
        ),
        "reflection.proto": (
            symbols: [
                "grpc.reflection.v1.ServerReflectionRequest",
                "grpc.reflection.v1.ServerReflectionResponse",
                "grpc.reflection.v1.FileDescriptorResponse",
                "grpc.reflection.v1.ListServiceResponse",
                "grpc.reflection.v1.ServiceResponse",
                "grpc.reflection.v1.ErrorResponse",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1.ServerReflection.ServerReflectionInfo",
            ],
            descriptor: """
                ChByZWZsZWN0aW9uLnByb3RvEhJncnBjLnJlZmxlY3Rpb24udjEiywEKF1NlcnZlclJlZmxlY3Rpb25SZXF1ZXN0EhIKBGhvc3QY\
                ASABKAlSBGhvc3QSKgoQZmlsZV9ieV9maWxlbmFtZRgDIAEoCUgAUg5maWxlQnlGaWxlbmFtZRI2ChZmaWxlX2NvbnRhaW5pbmdf\
                c3ltYm9sGAQgASgJSABSFGZpbGVDb250YWluaW5nU3ltYm9sEiUKDWxpc3Rfc2VydmljZXMYByABKAlIAFIMbGlzdFNlcnZpY2Vz\
                QhEKD21lc3NhZ2VfcmVxdWVzdCK6AwoYU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlEh0KCnZhbGlkX2hvc3QYASABKAlSCXZhbGlk\
                SG9zdBJWChBvcmlnaW5hbF9yZXF1ZXN0GAIgASgLMisuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXF1ZXN0\
                Ug9vcmlnaW5hbFJlcXVlc3QSZgoYZmlsZV9kZXNjcmlwdG9yX3Jlc3BvbnNlGAQgASgLMiouZ3JwYy5yZWZsZWN0aW9uLnYxLkZp\
                bGVEZXNjcmlwdG9yUmVzcG9uc2VIAFIWZmlsZURlc2NyaXB0b3JSZXNwb25zZRJfChZsaXN0X3NlcnZpY2VzX3Jlc3BvbnNlGAYg\
                ASgLMicuZ3JwYy5yZWZsZWN0aW9uLnYxLkxpc3RTZXJ2aWNlUmVzcG9uc2VIAFIUbGlzdFNlcnZpY2VzUmVzcG9uc2USSgoOZXJy\
                b3JfcmVzcG9uc2UYByABKAsyIS5ncnBjLnJlZmxlY3Rpb24udjEuRXJyb3JSZXNwb25zZUgAUg1lcnJvclJlc3BvbnNlQhIKEG1l\
                c3NhZ2VfcmVzcG9uc2UiTAoWRmlsZURlc2NyaXB0b3JSZXNwb25zZRIyChVmaWxlX2Rlc2NyaXB0b3JfcHJvdG8YASADKAxSE2Zp\
                bGVEZXNjcmlwdG9yUHJvdG8iVAoTTGlzdFNlcnZpY2VSZXNwb25zZRI9CgdzZXJ2aWNlGAEgAygLMiMuZ3JwYy5yZWZsZWN0aW9u\
                LnYxLlNlcnZpY2VSZXNwb25zZVIHc2VydmljZSIlCg9TZXJ2aWNlUmVzcG9uc2USEgoEbmFtZRgBIAEoCVIEbmFtZSJTCg1FcnJv\
                clJlc3BvbnNlEh0KCmVycm9yX2NvZGUYASABKAVSCWVycm9yQ29kZRIjCg1lcnJvcl9tZXNzYWdlGAIgASgJUgxlcnJvck1lc3Nh\
                Z2UyiQEKEFNlcnZlclJlZmxlY3Rpb24SdQoUU2VydmVyUmVmbGVjdGlvbkluZm8SKy5ncnBjLnJlZmxlY3Rpb24udjEuU2VydmVy\
                UmVmbGVjdGlvblJlcXVlc3QaLC5ncnBjLnJlZmxlY3Rpb24udjEuU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlKAEwAWIGcHJvdG8z
                """
        ),
    ]
}

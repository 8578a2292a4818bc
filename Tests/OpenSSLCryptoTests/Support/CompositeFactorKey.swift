import OpenSSLCrypto

/// Numbers that fit each other as those of an RSA key do, but for one thing: p is the product of two primes. Made once with Python's integers.
enum CompositeFactorKey {
    static let numbers = RSAPrivateNumbers(
        n: digits(
            """
            b8f603bbc95c9a81762fdb70d9a71a6cbf282ee2f8e3c0dde7754f77663225b606f852cd74fb6a38c09f0d3d3dbb907d0f6acdbfdae81d5c4b6cba9a4a48909cdfba824127b4
            f4ebf7b05e9444cb723bfeaea672b98db0319721185b69bc5e72065218d0f8607e3b0559559343d566f8b69f6396b260c21ec9299bd4559a67bea20789221c9ffc054085a351
            9247bc10870324e9682e1f6856abe73cdf0f9e1d9b00750eda2fcfd813e083f07552458e64e3d213cdac2cdf300970e3261e527c0231a415aaa3f104de931a8d8a8499d2af83
            2a6fc5666002ba0ec6bca0686068b60576ee6cde724c0d5bf3c5beaf48ccd6023dc39df10c3854c1e97c0df6ce75
            """),
        e: digits(
            """
            010001
            """),
        d: digits(
            """
            af3ecc46aae3f3ba36090d63cc9336df946810db4b2c2d4cc8a821ded3d259059ccaafcaa4690583fe1651d5f8ba446c5ac5e59b7089a9cc0cfd486d4edffa775dff4e982f42
            d78a7195a7e619d4e32b857c11f2ceb738f170ef6c91f671963c4e07035f6f50d46a3ca51fb3d5c9627ec489867db389273aad5a76d96bd6d1b171161364085a3af5b9402fb1
            fac608cac79c61e84e0b841bc098e01dfb6454a8be20604ded41c55181577fff4d6f3b28cbda89a4098b0acfa9c6e6554bf885bea420ab725dd17b793a078eb91408ac312520
            73cc4695f13b36b746e83a8e27f7af7d54ae229f6b4a26a2a204ee75056720cbe84750a89cd2d506c696dc8c11
            """),
        p: digits(
            """
            deea09d1f2963929e00a588f61450939ed31e5ca042e52232be947e5b5aadf606c85e7a09d2121426ee7d6430ccb2608a8c2991d8c5759ae777cb25724a86791916f83efa353
            0dcbc494ba230f31140b64e39389f2f1b06a67738b97a9e5d5ff7dac927a9ea1b5948a2763a73eeb6524c9e078cf54d326667789e29a69d9dcb1
            """),
        q: digits(
            """
            d469e2f058bf71356453ed856c4f176d01ff8c51cb310f404542c5ceba71fda95db03a65bd3c36d564beb151e5a23260e0739a0866323e760d2bed86534f477022f1e32dcba0
            45a824a367602f2ab129572c62c6b7ff4962ed598ec47cda31bf90e977e57a743115b1e05d9e7c89eaa165489a993302b8654eb0c8df48812f05
            """),
        dp: digits(
            """
            d1c2ddb6c85600389d705ee19d207f8c18ddc9640e072097a42c82d16fdff90f1d4fec24c177797ab02e4cfb0f40e2eb6712a74e9ccf5dbec5057c3470745ff1253010b121b9
            77d3f58a16960327a5bb0b16f3b0ee01ec86540ef09ea8eb7432552a5d3431adedd6772295adbd9178bde391ed5cfc6f2d4562db477712804621
            """),
        dq: digits(
            """
            45d55200c68c9a017dac82083d657b4421460cb1cf659fa7f79d4e3efad903162d7104a1f226dbb82858f11f05a9df7a2e1093717377cd452e6b64b9a6a607cc7c109e29ae2a
            50fc489f581b2d2691fc0f66ce4a9aaf594726d52cb4b87f5b9fa95ab84a3f89f7a1344b993bc3a1ebfb87bae8e8b8f689fcf473f67641f606a9
            """),
        qi: digits(
            """
            c906e6785df3ac7a2bc585c21fbe004981d7fb319a8b08f43cc0c5d69f585980aff9620154fd80e825dbbe7097c064b08b6ae2b30b2570c23d8c3ef96c24a5d94138ff356fa5
            dd28deaaf9799c2c0581e9e73627b18e4865506ef368bd1bbe5fd34cbfe6498e8f28b059d3e0f62aa9e9810bf5965d084c0962cb74691c4b7a84
            """))

    private static func digits(_ text: String) -> [UInt8] { Hex.decode(String(text.filter { $0 != "\n" })) ?? [] }
}

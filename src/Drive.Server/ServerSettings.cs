namespace Drive.Server;

/// <summary>What a server is started with.</summary>
/// <param name="Directory">Where everything lies that it keeps.</param>
/// <param name="Listen">Where it listens.</param>
public sealed record ServerSettings(string Directory, IReadOnlyList<ListenAddress> Listen)
{
    /// <summary>A certificate (with its chain) and its key, as PEM; both or none. Without them the server makes its own.</summary>
    public (string Certificate, string Key)? Tls { get; init; }

    /// <summary>The largest object. Drive's own have up to 8 MiB and a little more.</summary>
    public int ObjectBytesMax { get; init; } = 64 << 20;

    /// <summary>Requests that one token may make in a second, and ten times as many at once after a rest. Arbitrary: no drive that was measured comes near.</summary>
    public int RequestsPerSecond { get; init; } = 500;

    /// <summary>Watches that one token may have at once. Arbitrary.</summary>
    public int WatchesMax { get; init; } = 64;

    /// <summary>Vaults that one user may have. Arbitrary.</summary>
    public int VaultsMax { get; init; } = 100;
}

using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Vault.Log;

namespace Drive.Vault.Keys;

public static partial class VaultSetup
{
    /// <summary>The vault's head, by following the chain from its start or its last floor: what a slot pins. Reads no tree.</summary>
    public static Task<VaultState> ReadHeadAsync(IObjectStore store, VaultKeys keys, IRandomSource random, CancellationToken cancellationToken) =>
        VaultJoin.FollowAsync(new VaultLog(store, keys, random), store, keys, VaultState.BeforeGenesis(keys), [new LogPin(0, keys.HeaderHash)], null, cancellationToken);
}

using System.Text;
using Drive.Control;
using Drive.Core.Platform;
using Drive.Core.Stores;
using Drive.Stores;
using Drive.Vault;

namespace Drive.Service.Setup;

/// <summary>
/// An object in each part of a store in two, "log of ID" or "packs of ID", where the random id joins them: nobody then opens one part for the whole, or one with another
/// vault's. A help against slips and no safety: packs are bound to their vault by their seals.
/// </summary>
internal static class SplitMark
{
    private const string LogWord = "log of ";
    private const string PacksWord = "packs of ";
    private const int IdBytes = 16;
    private const int BytesMax = 256;

    /// <summary>Marks both parts, before a vault is made there. What an earlier try marked is used again; the packs of another vault are refused.</summary>
    public static async Task MakeAsync(SplitStore store, IRandomSource random, CancellationToken cancellationToken)
    {
        byte[] fresh = new byte[IdBytes];
        random.Fill(fresh);
        string? log = await ReadAsync(store.Log, cancellationToken);
        string id = log?[Math.Min(LogWord.Length, log.Length)..] ?? Convert.ToHexStringLower(fresh);
        string? packs = await ReadAsync(store.Packs, cancellationToken);
        bool isVault = await store.Packs.GetLengthAsync(VaultNames.Vault, cancellationToken) is not null;
        if (isVault || (log ?? LogWord + id) != LogWord + id || (packs ?? PacksWord + id) != PacksWord + id)
        {
            throw new DriveException(DriveError.InUse, $"'{(isVault || packs is not null ? store.Packs : store.Log).Description.Url}' holds another vault, or a part of one: choose another place.");
        }

        await store.Log.PutIfAbsentAsync(VaultNames.Split, Encoding.ASCII.GetBytes(LogWord + id), cancellationToken);
        await store.Packs.PutIfAbsentAsync(VaultNames.Split, Encoding.ASCII.GetBytes(PacksWord + id), cancellationToken);
    }

    /// <summary>Refuses a part that is given as the whole, and two parts that do not belong together.</summary>
    public static async Task RequireAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        if (store is SplitStore split)
        {
            string? log = await ReadAsync(split.Log, cancellationToken);
            string? packs = await ReadAsync(split.Packs, cancellationToken);
            if (log is null || packs is null || !log.StartsWith(LogWord, StringComparison.Ordinal) || packs != PacksWord + log[LogWord.Length..])
            {
                throw new DriveException(
                    DriveError.BadVault,
                    $"'{split.Packs.Description.Url}' does not hold the packs of a vault whose log is in '{split.Log.Description.Url}': look at both, the packs' store comes first.");
            }
        }
        else if (await ReadAsync(store, cancellationToken) is { } part)
        {
            throw new DriveException(
                DriveError.BadVault,
                $"'{store.Description.Url}' holds only the {(part.StartsWith(LogWord, StringComparison.Ordinal) ? "log" : "packs")} of a vault: write STORE --log-store URL2, the packs' store first.");
        }
    }

    private static async Task<string?> ReadAsync(IObjectStore store, CancellationToken cancellationToken) =>
        await store.GetAsync(VaultNames.Split, BytesMax, cancellationToken) is { } content ? Encoding.ASCII.GetString(content) : null;
}

namespace Drive.Engine;

/// <summary>What this device always keeps here.</summary>
/// <param name="Pinned">Regular files that are pinned, by themselves or below a pinned folder, and their sizes.</param>
/// <param name="ToFetch">Those of them that are not here whole, and the sealed bytes that are missing.</param>
/// <param name="Problem">Why that is not fetched, in one line; null when nothing is in the way.</param>
public sealed record PinStatus(Amount Pinned, Amount ToFetch, string? Problem)
{
    /// <summary>Nothing is pinned.</summary>
    public static PinStatus None { get; } = new(default, default, null);
}

/// <summary>What evicting came to.</summary>
/// <param name="FreedBytes">Of the local disk.</param>
/// <param name="Kept">Files with changes that are not in the store, which stay, and those bytes.</param>
public readonly record struct EvictResult(long FreedBytes, Amount Kept);

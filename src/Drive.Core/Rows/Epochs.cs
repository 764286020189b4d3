namespace Drive.Core.Rows;

/// <summary>
/// Numbers for versioned rows. Real seqs count commits from 1. A change that is not yet in the log carries the provisional seq of its epoch,
/// above every real one; a row that still holds ends at <see cref="Open"/>.
/// </summary>
public static class Epochs
{
    /// <summary>End of a row that still holds.</summary>
    public const long Open = long.MaxValue;

    /// <summary>The provisional seq of epoch 0; all real seqs are below.</summary>
    public const long ProvisionalBase = 1L << 62;

    /// <summary>The provisional seq of an epoch.</summary>
    public static long Provisional(long epoch) => ProvisionalBase + epoch;

    /// <summary>Whether a seq is provisional (and not <see cref="Open"/>).</summary>
    public static bool IsProvisional(long seq) => seq is >= ProvisionalBase and < Open;
}

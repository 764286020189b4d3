namespace Drive.Core.Rows;

/// <summary>When a commit was made and by whom: what history is listed and searched by.</summary>
/// <param name="Seq">The commit. The order of moments is that of their seqs.</param>
/// <param name="Time">Nanoseconds since 1970 UTC by the clock of the device, which may be wrong by years.</param>
/// <param name="Device">Who made it.</param>
public sealed record MomentRow(long Seq, long Time, DeviceId Device);

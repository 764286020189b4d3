using Drive.Core.Rows;

namespace Drive.Metadata;

/// <summary>A pack that the log named, and what became of it.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Length">Bytes of the object; about right for packs of before November 2026.</param>
/// <param name="CondemnedAt">The commit that condemned it; 0: none.</param>
/// <param name="SweptAt">The commit that swept it; 0: none.</param>
/// <param name="IsToDelete">Whether this device swept it and has not found it gone from the store yet.</param>
public sealed record PackFate(PackId Pack, long Length, long CondemnedAt, long SweptAt, bool IsToDelete);

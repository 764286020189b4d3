using Drive.Cache.Dirty;

namespace Drive.Engine.Content;

/// <summary>
/// Bytes of one write, or of several that follow each other, on their way to the dirty log: first in memory, then a record of the log.
/// Everything here is guarded by the volume's gate, except that the local commit reads <see cref="Buffer"/> of a sealed-off chunk.
/// </summary>
/// <remarks>A chunk lies within one 1 MiB-aligned block of the file it was written to. Several overlay items, also of other files
/// (copy_file_range), may show parts of it.</remarks>
internal sealed class DirtyChunk
{
    /// <summary>The file and offset it was written to; what its record in the log says.</summary>
    public required Core.Volumes.NodeId Node { get; init; }

    /// <summary>Where in that file its first byte belongs.</summary>
    public required long Offset { get; init; }

    /// <summary>Plain bytes; grows only while <see cref="IsAppendable"/>.</summary>
    public int Length { get; set; }

    /// <summary>The bytes, until they are in the log for sure.</summary>
    public byte[]? Buffer { get; set; }

    /// <summary>Where its record starts, once it is logged.</summary>
    public LogPosition Position { get; set; }

    /// <summary>Whether it was appended to the log, perhaps not durably.</summary>
    public bool IsAppended { get; set; }

    /// <summary>Whether a local commit made it durable; then <see cref="Position"/> holds.</summary>
    public bool IsLogged { get; set; }

    /// <summary>Whether a write may still extend or overwrite it in place.</summary>
    public bool IsAppendable { get; set; } = true;

    /// <summary>Bytes of it that overlay items show, over all files. With no pins and none of these it is dead.</summary>
    public long LiveBytes { get; set; }

    /// <summary>Captures of an upload that still read it.</summary>
    public int Pins { get; set; }

    /// <summary>Whether a local commit took it to write it: its buffer may be read outside the gate.</summary>
    public bool IsTaken { get; set; }

    /// <summary>Bytes reserved from the cache budget for it.</summary>
    public int ReservedBytes { get; set; }

    /// <summary>Whether nothing needs it any more.</summary>
    public bool IsDead => LiveBytes == 0 && Pins == 0;
}

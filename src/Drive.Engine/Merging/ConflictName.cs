using System.Globalization;
using System.Text;
using Drive.Core.Volumes;

namespace Drive.Engine.Merging;

/// <summary>What a file is called whose name another device's file keeps: "report (conflict, laptop, 2026-11-22 14-03).txt". Pure.</summary>
internal sealed class ConflictName(string device, DateTimeOffset time)
{
    private readonly string _mark = $"conflict, {Clean(device)}, {time.UtcDateTime.ToString("yyyy-MM-dd HH-mm", CultureInfo.InvariantCulture)}";

    /// <summary>The name, with a number from the second try on. As long as the file system takes, the beginning cut where it must be.</summary>
    public byte[] Of(ReadOnlySpan<byte> name, int tries)
    {
        int dot = name.LastIndexOf((byte)'.');
        int stemLength = dot > 0 && name.Length - dot <= ExtensionBytesMax ? dot : name.Length;
        byte[] mark = Encoding.UTF8.GetBytes(tries <= 1 ? $" ({_mark})" : $" ({_mark}, {tries})");
        int room = FileName.BytesMax - mark.Length - (name.Length - stemLength);
        ReadOnlySpan<byte> stem = name[..stemLength];
        if (stem.Length > room)
        {
            // Not within a character of UTF-8: its later bytes are 10xxxxxx.
            while (room > 0 && (stem[room] & 0xC0) == 0x80)
            {
                room--;
            }

            stem = stem[..room];
        }

        return [.. stem, .. mark, .. name[stemLength..]];
    }

    /// <summary>Longer endings are no extension, but part of a name with a dot in it (arbitrary).</summary>
    private const int ExtensionBytesMax = 16;

    private const int DeviceCharactersMax = 40;

    private static string Clean(string device)
    {
        string clean = new([.. device.Where(static letter => letter != '/' && !char.IsControl(letter)).Take(DeviceCharactersMax)]);
        return clean.Length == 0 ? "device" : clean;
    }
}

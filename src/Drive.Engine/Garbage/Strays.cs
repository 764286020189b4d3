using Drive.Core.Rows;
using Drive.Vault.Log;

namespace Drive.Engine.Garbage;

/// <summary>
/// Packs in the store that no commit names, as a listing showed them once: put by somebody whose commit never came, or whose commit is on its way. Immutable.
/// </summary>
/// <remarks>
/// Who put a pack may name it as long as that process runs, and its next one may send a commit that the last one had saved. A device counts its starts in its commits: each commit has a number above
/// those of the runs before that committed. So when a device's commit counts at least two more than the log did when the pack was already there, the run that put it has ended, and a commit that it left was sent or lost.
/// No clock says so, and a device that only sleeps is waited for.
/// </remarks>
/// <param name="Packs">The packs.</param>
/// <param name="Starts">The devices of that time, and what each counted.</param>
internal sealed record Strays(IReadOnlyList<PackId> Packs, IReadOnlyDictionary<DeviceId, long> Starts)
{
    private const int DeviceBytes = 16;

    /// <summary>As the log stands after the listing was made.</summary>
    public static Strays Of(IReadOnlyList<PackId> packs, VaultState state) => new(packs, state.Holders.ToDictionary(static member => member.Id, static member => member.Incarnation));

    /// <summary>Whether none of the other devices can name them any more. What this device may name it knows itself.</summary>
    public bool AreGarbage(VaultState state, DeviceId self) => state.Holders.Where(member => member.Id != self)
        .All(member => !Starts.TryGetValue(member.Id, out long then) || member.Incarnation >= then + 2);

    /// <summary>For the local database.</summary>
    public byte[] Encode()
    {
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write(Starts.Count);
        foreach ((DeviceId device, long starts) in Starts)
        {
            writer.Write(Convert.FromHexString(device.Value));
            writer.Write(starts);
        }

        writer.Write(Packs.Count);
        foreach (PackId pack in Packs)
        {
            writer.Write(pack.Value.AsSpan());
        }

        writer.Flush();
        return stream.ToArray();
    }

    public static Strays? Decode(byte[]? saved)
    {
        if (saved is null)
        {
            return null;
        }

        using BinaryReader reader = new(new MemoryStream(saved));
        Dictionary<DeviceId, long> starts = [];
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            starts.Add(new DeviceId(Convert.ToHexStringLower(reader.ReadBytes(DeviceBytes))), reader.ReadInt64());
        }

        PackId[] packs = new PackId[reader.ReadInt32()];
        for (int i = 0; i < packs.Length; i++)
        {
            packs[i] = new PackId(new Bytes32(reader.ReadBytes(Bytes32.Size)));
        }

        return new Strays(packs, starts);
    }
}

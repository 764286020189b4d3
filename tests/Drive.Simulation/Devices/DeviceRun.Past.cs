using Drive.Core.Rows;
using Drive.Simulation.World;
using Drive.Testing.Model;

namespace Drive.Simulation.Devices;

/// <content>
/// However a device came to its database (commit by commit, from a checkpoint, anew after its machine was lost), it knows the past that all know, and shows it as all do.
/// </content>
internal sealed partial class DeviceRun
{
    /// <summary>States of the past that all devices show in the end: reading all of them would take longer than the run.</summary>
    private const int StatesMax = 3;

    private async Task HoldPastAsync()
    {
        long last = _devices[0].Volume.GetStatus().Seq;
        IReadOnlyList<MomentRow> moments = _devices[0].Volume.ReadMoments(1, last, int.MaxValue);
        Random random = new(_seed ^ 0x0A57);
        long[] seqs = [.. moments.OrderBy(_ => random.Next()).Take(StatesMax).Select(static moment => moment.Seq)];
        List<TreeSnapshot> shown = [];
        foreach (Device device in _devices)
        {
            if (!device.Volume.ReadMoments(1, last, int.MaxValue).SequenceEqual(moments))
            {
                throw new SimulationException($"Device {device.Number} knows other moments of the past than device 1.");
            }

            for (int i = 0; i < seqs.Length; i++)
            {
                TreeSnapshot tree = await TreeSnapshot.CaptureAsync(device.Volume.OpenPast(seqs[i]));
                if (device == _devices[0])
                {
                    shown.Add(tree);
                }
                else if (shown[i].Differences(tree) is { Count: > 0 } differences)
                {
                    throw new SimulationException($"Device {device.Number} shows commit {seqs[i]} as another tree than device 1:\n{string.Join('\n', differences)}");
                }
            }
        }
    }
}

using Drive.Core.History;
using Drive.Core.Stores;
using Drive.Engine;
using Drive.Simulation.World;
using Drive.Vault;
using Drive.Vault.Log;

namespace Drive.Simulation.Devices;

/// <content>
/// In every third seed devices give space back while all else goes on. Whatever died or lay meanwhile: every pack that the tree or a kept state of any device needs is in the store in the end, and after
/// some rounds with everybody there at most a fifth of what lies there is waste.
/// </content>
internal sealed partial class DeviceRun
{
    /// <summary>What the frames of a few small packs take that were written since the last count.</summary>
    private const long SlackBytes = 16 << 10;

    /// <summary>What was put and never named goes after two starts of each device since it was listed, and there may be two listings; then the rest is swept.</summary>
    private const int Rounds = 6;

    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(30);
    private static readonly RetentionRule NewestOnly = new(0, 0, 0, 0, 0);

    public static bool Collects(int seed) => seed % 3 == 0;

    private async Task CollectAsync(Device device, Random random)
    {
        int what = random.Next(4);
        string name = $"snapshot {random.Next(3)}";
        try
        {
            await device.Context.RunAsync(async () =>
            {
                using CancellationTokenSource patience = new(PatienceMax, _world.Time);
                using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, device.Machine.Life);
                await device.Volume.ChangeHistoryAsync(state => Say(state, what, name), either.Token);
                GarbageReport report = await device.Volume.CollectGarbageAsync(new GarbageOptions(), either.Token);
                _world.Trace.Add("collected", report.DeletedPacks, report.CondemnedPacks);
            });
        }
        catch (Exception error) when (device.Machine.IsDead || device.Machine.HasMetFault || error is OperationCanceledException or StoreException or VaultException { Kind: VaultErrorKind.NotReady })
        {
            // The store was away for too long, or the machine died: what was begun is gone on with by the next round.
        }
    }

    private static IReadOnlyList<HistoryChange> Say(VaultState state, int what, string name)
    {
        List<HistoryChange> changes = state.History.Retention is null ? [new SetRetention(NewestOnly)] : [];
        if (what == 0 && state.History.FindSnapshot(name) is null)
        {
            changes.Add(new NameSnapshot(name, state.Seq, 1));
        }
        else if (what == 1 && state.History.FindSnapshot(name) is not null)
        {
            changes.Add(new DropSnapshot(name));
        }

        return changes;
    }

    /// <summary>Whether others may wait for the device, which has not given its word yet.</summary>
    private static bool OwesWord(Device device) =>
        device.Volume.Head is var state && state.FindMember(device.Volume.DeviceId) is { } self && state.History.Condemned.Any(pack => pack.Seq > self.LastSeq);

    private async Task GiveBackAsync()
    {
        GarbageReport? last = null;
        for (int round = 0; round < Rounds; round++)
        {
            foreach (Device device in _devices)
            {
                // Each start that says something counts: what an earlier one had put and never named is garbage then.
                await ReopenAsync(device);
                GarbageReport? report = null;
                await device.Context.RunAsync(async () =>
                {
                    await device.Volume.ChangeHistoryAsync(state => [new SetRetention(NewestOnly), .. LapseAbsent(state)], CancellationToken.None);
                    report = await device.Volume.CollectGarbageAsync(new GarbageOptions(), CancellationToken.None);
                });
                if (report!.MissingPacks > 0)
                {
                    throw new SimulationException($"{report.MissingPacks} packs that device {device.Number} needs are not in the store.");
                }

                last = report.IsPastUnknown ? last : report;
                _world.Trace.Add(string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"device {device.Number}, round {round}: {report.StoredBytes} stored, {report.PackBytes} known, {report.NeededBytes} needed, {report.UnneededPacks} given up, {report.MovedPacks} moved, {report.SweptPacks} swept, {report.DeletedPacks} deleted, {report.CondemnedPacks} wait for {string.Join(',', report.WaitsFor.Select(static member => member.Name))}, knows {!report.IsPastUnknown}"));
            }

            await SettleAsync(isLast: true);
        }

        foreach (Device device in _devices)
        {
            await device.Context.RunAsync(() => Oracle.HoldLogAsync(_world, device.Volume, isCut: true));
        }

        // Machines that were lost are members still: the log is cut up to where they were seen last.
        if (_losses == 0 && _devices[0].Volume.Head is { LastCheckpoint: { } checkpoint } head && head.Committers.All(member => _devices.Any(device => device.Name == member.Name))
            && checkpoint.Seq - (head.LastFloor?.Seq ?? 1) > _world.Settings.CutCommitsMin + (4 * _world.Settings.Checkpoints.CommitsMax))
        {
            throw new SimulationException($"The log is cut at {head.LastFloor?.Seq ?? 0}, and the last checkpoint stands at {checkpoint.Seq}.");
        }

        if (last is { } counted && counted.StoredBytes - counted.NeededBytes > (counted.StoredBytes / 5) + SlackBytes)
        {
            throw new SimulationException($"After {Rounds} rounds {counted.StoredBytes} bytes lie in the store, and {counted.NeededBytes} of them are needed.");
        }
    }

    private IEnumerable<HistoryChange> LapseAbsent(VaultState state) =>
        state.Members.Where(member => member is { Active: true, IsLapsed: false, Kind: MemberKind.Device } && !_devices.Any(device => device.Name == member.Name)).Select(static member => new Lapse(member.Id));
}

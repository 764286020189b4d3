using Drive.Control;
using Drive.Core.History;
using Drive.Engine;
using Drive.Service.Setup;
using Drive.Vault.Log;

namespace Drive.Service.Hosting;

/// <summary>Gives space in a mounted drive's store back.</summary>
internal static class GarbageDesk
{
    public static Task<GarbageReply> CollectAsync(Volume volume, string store, GarbageRequest request, CancellationToken cancellationToken) => VaultErrors.TranslatedAsync(
        store,
        async () =>
        {
            if (request is { DryRun: true } and not { Lapse: null, Keep: null })
            {
                throw new DriveException(DriveError.Usage, "A dry run changes nothing: leave --dry-run out to set what history keeps, or to wait for a device no longer.");
            }

            if (request.Lapse is { } name)
            {
                await volume.ChangeHistoryAsync(state => [new Lapse(Find(state, name, volume).Id)], cancellationToken);
            }

            if (request.Keep is { } text)
            {
                RetentionRule rule = Parse(text);
                await volume.ChangeHistoryAsync(_ => [new SetRetention(rule)], cancellationToken);
            }

            GarbageReport report = await volume.CollectGarbageAsync(new GarbageOptions { IsTrial = request.DryRun }, cancellationToken);
            return new GarbageReply
            {
                PackBytes = report.PackBytes,
                NeededBytes = report.NeededBytes,
                StoredBytes = report.StoredBytes,
                MissingPacks = report.MissingPacks,
                Unneeded = new FileAmount(report.UnneededPacks, report.UnneededBytes),
                Wasteful = new FileAmount(report.WastefulPacks, report.WastefulBytes),
                Moved = new FileAmount(report.MovedPacks, report.MovedBytes),
                Deleted = new FileAmount(report.DeletedPacks, report.DeletedBytes),
                Waiting = report.CondemnedPacks,
                WaitsFor = [.. report.WaitsFor.Select(Awaited)],
                CutCommits = request.DryRun ? report.CommitsToCut : report.DeletedCommits,
                LogFrom = report.LogFrom,
                LogWaitsFor = [.. report.LogWaitsFor.Select(Awaited)],
                LogProblem = report.LogProblem,
                Keep = (volume.Head.History.Retention ?? RetentionRule.Default).ToString(),
                Frozen = report.FrozenReason,
                IsPastUnknown = report.IsPastUnknown,
                Refused = report.RefusedReason,
            };
        });

    private static AwaitedDevice Awaited(VaultMember member) => new(member.Name, member.LastTime == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks(member.LastTime / 100));

    private static RetentionRule Parse(string text)
    {
        try
        {
            return RetentionRule.Parse(text);
        }
        catch (FormatException error)
        {
            throw new DriveException(DriveError.Usage, error.Message, error);
        }
    }

    private static VaultMember Find(VaultState state, string name, Volume volume)
    {
        VaultMember[] named = [.. state.Members.Where(member => member is { Active: true, IsLapsed: false, Kind: MemberKind.Device } && member.Name == name && member.Id != volume.DeviceId)];
        return named.Length == 1
            ? named[0]
            : throw new DriveException(DriveError.NotFound, $"{(named.Length == 0 ? "No other device that is waited for is called" : "Several devices are called")} '{name}': see 'drive device list'.");
    }
}

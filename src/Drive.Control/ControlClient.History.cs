using System.Text.Json.Serialization.Metadata;

namespace Drive.Control;

/// <content>History. What is asked may take as long as the tree is large, or the store is away.</content>
public sealed partial class ControlClient
{
    /// <summary>What a path was.</summary>
    public Task<PathVersions> GetVersionsAsync(string path, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.Versions, new PathRequest(path), ControlJson.Default.PathRequest, ControlJson.Default.PathVersions, cancellationToken);

    /// <summary>The state that a time or a name means.</summary>
    public Task<StateInfo> FindStateAsync(string when, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.State, new StateRequest(when), ControlJson.Default.StateRequest, ControlJson.Default.StateInfo, cancellationToken);

    /// <summary>Brings something back.</summary>
    public Task<RestoreReply> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.Restore, request, ControlJson.Default.RestoreRequest, ControlJson.Default.RestoreReply, cancellationToken);

    /// <summary>Copies something to a folder of this machine.</summary>
    public Task<RestoreReply> CopyOutAsync(CopyRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.CopyOut, request, ControlJson.Default.CopyRequest, ControlJson.Default.RestoreReply, cancellationToken);

    /// <summary>Sets something back.</summary>
    public Task<RestoreReply> RewindAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.Rewind, request, ControlJson.Default.RestoreRequest, ControlJson.Default.RestoreReply, cancellationToken);

    /// <summary>What differs between two states.</summary>
    public Task<CompareReply> CompareAsync(CompareRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.Compare, request, ControlJson.Default.CompareRequest, ControlJson.Default.CompareReply, cancellationToken);

    /// <summary>The named states.</summary>
    public Task<SnapshotList> ListSnapshotsAsync(CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Get, ControlRoutes.Snapshots, null, ControlJson.Default.SnapshotList, cancellationToken, cancellationToken);

    /// <summary>Names the state of now, once all of it is in the store.</summary>
    public Task<SnapshotInfo> NameSnapshotAsync(SnapshotRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.NameSnapshot, request, ControlJson.Default.SnapshotRequest, ControlJson.Default.SnapshotInfo, cancellationToken);

    /// <summary>Takes a name away; the names that are left.</summary>
    public Task<SnapshotList> DropSnapshotAsync(SnapshotRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.DropSnapshot, request, ControlJson.Default.SnapshotRequest, ControlJson.Default.SnapshotList, cancellationToken);

    /// <summary>Shows a state in a directory beside the drive.</summary>
    public Task<StateInfo> MountPastAsync(PastMountRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.MountPast, request, ControlJson.Default.PastMountRequest, ControlJson.Default.StateInfo, cancellationToken);

    /// <summary>Ends that; NotFound when nothing of the past is shown there.</summary>
    public Task<StateInfo> UnmountPastAsync(PastMountRequest request, CancellationToken cancellationToken) =>
        PostAsync(ControlRoutes.UnmountPast, request, ControlJson.Default.PastMountRequest, ControlJson.Default.StateInfo, cancellationToken);

    private Task<TReply> PostAsync<TRequest, TReply>(
        string route, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TReply> replyType, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, route, Json(request, requestType), replyType, cancellationToken, cancellationToken);
}

using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Drive.Control;

/// <content>Members of the vault, and its garbage. A change waits for the store as long as the caller does.</content>
public sealed partial class ControlClient : IDevices
{
    /// <inheritdoc/>
    public Task<DeviceList> ListDevicesAsync(CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Get, ControlRoutes.Devices, null, ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<PairingReply> PairAsync(CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Pair, null, ControlJson.Default.PairingReply, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DeviceList> AdmitAsync(PairingReply pairing, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Admit, Json(pairing, ControlJson.Default.PairingReply), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DeviceList> HandOverAsync(DeviceRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.HandOver, Json(request, ControlJson.Default.DeviceRequest), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DeviceList> TakeOverAsync(DeviceRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.TakeOver, Json(request, ControlJson.Default.DeviceRequest), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DeviceList> RevokeAsync(DeviceRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Revoke, Json(request, ControlJson.Default.DeviceRequest), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DeviceList> RenameAsync(DeviceRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Rename, Json(request, ControlJson.Default.DeviceRequest), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<RecoveryKeyMessage> OfferRecoveryKeyAsync(CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.OfferRecoveryKey, null, ControlJson.Default.RecoveryKeyMessage, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DeviceList> TakeRecoveryKeyAsync(RecoveryKeyMessage written, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.TakeRecoveryKey, Json(written, ControlJson.Default.RecoveryKeyMessage), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task SetPassphraseAsync(PassphraseRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Passphrase, Json(request, ControlJson.Default.PassphraseRequest), ControlJson.Default.DeviceList, cancellationToken, cancellationToken);

    /// <summary>Forgets by the vault's rule and gives space in the store back; waits as long as the caller does.</summary>
    public Task<GarbageReply> CollectGarbageAsync(GarbageRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Garbage, Json(request, ControlJson.Default.GarbageRequest), ControlJson.Default.GarbageReply, cancellationToken, cancellationToken);

    private static ByteArrayContent Json<T>(T message, JsonTypeInfo<T> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(message, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
}

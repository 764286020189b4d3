namespace Drive.Control;

/// <content>Looks at the vault, which take as long as they take.</content>
public sealed partial class ControlClient : IHealth
{
    /// <inheritdoc/>
    public Task<CheckResult> CheckAsync(CheckOrder order, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.Check, Json(order, ControlJson.Default.CheckOrder), ControlJson.Default.CheckResult, cancellationToken, cancellationToken);

    /// <inheritdoc/>
    public Task<DiskCost> MeasureAsync(PathRequest request, CancellationToken cancellationToken) =>
        AskPatientlyAsync(HttpMethod.Post, ControlRoutes.DiskUse, Json(request, ControlJson.Default.PathRequest), ControlJson.Default.DiskCost, cancellationToken, cancellationToken);
}

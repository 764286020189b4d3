using Drive.Control;

namespace Drive.Service.Hosting;

/// <summary>What can be done with a vault without mounting it, and what there is to close when one is done with it.</summary>
/// <param name="Devices">What can be done.</param>
/// <param name="Health">What can be looked at.</param>
/// <param name="Backups">The backup sets.</param>
/// <param name="Close">Called once.</param>
public sealed record OpenedDevices(IDevices Devices, IHealth Health, IBackups Backups, Func<ValueTask> Close) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Close();
}

using Drive.Control;

namespace Drive.Service.Hosting;

/// <summary>The members of a vault, and what there is to close when one is done with them.</summary>
/// <param name="Devices">What can be done.</param>
/// <param name="Health">What can be looked at.</param>
/// <param name="Close">Called once.</param>
public sealed record OpenedDevices(IDevices Devices, IHealth Health, Func<ValueTask> Close) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Close();
}

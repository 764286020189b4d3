using Drive.Core.Platform;

namespace Drive.Stores.Http;

/// <summary>A watch on a server of Drive's own: an answer that stays open, and has a line for each thing that is new.</summary>
internal sealed class HttpWatch(Func<CancellationToken, Task<HttpResponseMessage>> connect, Action changed, TimeProvider time, IRandomSource random)
    : StoreWatch(changed, time, random)
{
    /// <summary>Three times what the server promises.</summary>
    protected override TimeSpan SilenceMax { get; } = ServerWire.KeepAlive * 3;

    protected override bool IsAway(Exception error) => HttpErrors.IsKnown(error);

    protected override async Task FollowAsync(Action alive, Action tell, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await connect(cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            return;
        }

        using StreamReader lines = new(await answer.Content.ReadAsStreamAsync(cancellationToken));
        bool isFirst = true;
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            alive();

            // The first line says that the server listens from now on. What was made before it may have been missed.
            if (isFirst || line == ServerWire.Changed)
            {
                isFirst = false;
                tell();
            }
        }
    }
}

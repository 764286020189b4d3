using System.Threading.Channels;
using Drive.Core.Stores;

namespace Drive.Server.Storage;

/// <summary>Somebody who wants to know that something was made below a prefix. What comes while the last was not taken yet counts as one.</summary>
internal sealed class Watcher(string prefix, Action<Watcher> ended) : IDisposable
{
    private readonly Channel<bool> _told = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public ChannelReader<bool> Told => _told.Reader;

    public void Tell(ObjectName name)
    {
        if (name.Value.StartsWith(prefix, StringComparison.Ordinal))
        {
            _told.Writer.TryWrite(true);
        }
    }

    public void Dispose() => ended(this);
}

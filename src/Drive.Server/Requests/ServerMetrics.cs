using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Drive.Server.Storage;

namespace Drive.Server.Requests;

/// <summary>What the server counts, in Prometheus' text format. Of no user in particular.</summary>
internal sealed class ServerMetrics(VaultCollection vaults, WatchHandler watches)
{
    private readonly ConcurrentDictionary<(string Method, int Status), long> _requests = new();
    private long _received;
    private long _sent;

    public void Count(string method, int status, long bytes)
    {
        _requests.AddOrUpdate((method, status), 1, static (_, count) => count + 1);
        Interlocked.Add(ref method == "PUT" ? ref _received : ref _sent, bytes);
    }

    public string Describe()
    {
        StringBuilder text = new();
        Head("requests_total", "counter", "Requests by method and status.");
        foreach (((string method, int status), long count) in _requests.OrderBy(static row => row.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"drive_server_requests_total{{method=\"{method}\",status=\"{status}\"}} {count}\n");
        }

        Add("received_bytes_total", "counter", "Bytes of objects that came in.", Interlocked.Read(ref _received));
        Add("sent_bytes_total", "counter", "Bytes of objects that went out.", Interlocked.Read(ref _sent));
        Add("watches", "gauge", "Open watches.", watches.Count);
        Add("vaults", "gauge", "Vaults.", vaults.Count);
        Add("used_bytes", "gauge", "What all objects take.", vaults.UsedBytes);
        Add("disk_free_bytes", "gauge", "Room on the disk.", vaults.DiskFreeBytes());
        return text.ToString();

        void Head(string name, string type, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP drive_server_{name} {help}\n# TYPE drive_server_{name} {type}\n");

        void Add(string name, string type, string help, long value)
        {
            Head(name, type, help);
            text.Append(CultureInfo.InvariantCulture, $"drive_server_{name} {value}\n");
        }
    }
}

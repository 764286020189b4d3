namespace Drive.Simulation.World;

/// <summary>
/// What happened in a run, as one number: every choice of the scheduler, every call to a disk or store with its place and length, every step and result.
/// </summary>
internal sealed class Trace
{
    private const ulong Prime = 0x100000001B3;
    private ulong _hash = 0xCBF29CE484222325;

    public ulong Hash => _hash;

    public long Count { get; private set; }

    /// <summary>Told each line as it is added, to see where two runs part; null costs nothing.</summary>
    public Action<string>? Listener { get; set; }

    public void Add(string what, long first = 0, long second = 0)
    {
        Count++;
        foreach (char character in what)
        {
            Mix(character);
        }

        Mix((ulong)first);
        Mix((ulong)second);
        Listener?.Invoke($"{what} {first} {second}");
    }

    private void Mix(ulong value) => _hash = ((_hash ^ value) * Prime) ^ (_hash >> 29);
}

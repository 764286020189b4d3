namespace Drive.Fuzzing;

/// <summary>
/// One parser of foreign bytes. <see cref="Run"/> returns when the bytes gave a value or the format's own typed refusal, and throws for anything else: that is
/// a finding. State that a target keeps between runs must not change what a run does.
/// </summary>
internal abstract class FuzzTarget : IDisposable
{
    /// <summary>As on the command line, and the name of its folder of the corpus.</summary>
    public abstract string Name { get; }

    /// <summary>Words of the format: magics, tags, lengths that matter.</summary>
    public virtual IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>Real objects of the format; the same ones in every process.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>Longer inputs are cut.</summary>
    public virtual int LengthMax => 4096;

    /// <summary>How much one run may allocate on this thread for an input of so many bytes.</summary>
    public virtual long AllocationMax(int inputBytes) => (64 << 10) + (256L * inputBytes);

    /// <summary>Parses.</summary>
    public abstract void Run(byte[] input);

    public void Dispose() => Close();

    protected virtual void Close()
    {
    }

    /// <summary>All targets, made anew.</summary>
    public static IReadOnlyDictionary<string, Func<FuzzTarget>> All { get; } = new SortedDictionary<string, Func<FuzzTarget>>(StringComparer.Ordinal)
    {
        ["checkpoint"] = static () => new Targets.CheckpointTarget(),
        ["codec"] = static () => new Targets.CodecTarget(),
        ["commit"] = static () => new Targets.CommitTarget(),
        ["config"] = static () => new Targets.ConfigTarget(),
        ["control"] = static () => new Targets.ControlTarget(),
        ["dirtylog"] = static () => new Targets.DirtyLogTarget(),
        ["floor"] = static () => new Targets.FloorTarget(),
        ["fuse"] = static () => new Targets.FuseTarget(),
        ["journal"] = static () => new Targets.JournalTarget(),
        ["pack"] = static () => new Targets.PackTarget(),
        ["slot"] = static () => new Targets.SlotTarget(),
    };
}

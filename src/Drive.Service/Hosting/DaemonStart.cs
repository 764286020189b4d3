namespace Drive.Service.Hosting;

/// <summary>What the command hands to its daemon over a pipe: never in arguments or environment, which others can read.</summary>
/// <param name="Request">What to mount.</param>
/// <param name="Passphrase">For keys that one seals, else null.</param>
public sealed record DaemonStart(MountRequest Request, string? Passphrase)
{
    /// <summary>Without the passphrase, for whoever prints it.</summary>
    public override string ToString() => $"mount {Request.Name}";
}

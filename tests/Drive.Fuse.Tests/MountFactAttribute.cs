using Drive.Fuse.Native;

namespace Drive.Fuse.Tests;

/// <summary>A test on a real mount: skipped, with the reason, where the machine cannot mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute()
    {
        int descriptor = Libc.Open("/dev/fuse", Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        if (descriptor < 0)
        {
            Skip = $"/dev/fuse cannot be opened (errno {Libc.LastError}).";
            return;
        }

        _ = Libc.Close(descriptor);
        if (Libc.EffectiveUserId() != 0)
        {
            Skip = "Mounting with mount(2) needs root.";
        }
    }
}

/// <summary>Mounts are made one after another: the machine's load is part of what they wait for.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MountTestsDefinition
{
    public const string Name = "mounts";
}

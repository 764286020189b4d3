using Drive.Fuse.Native;

namespace Drive.Fuse.Tests;

/// <summary>A test on a real mount: skipped, with the reason, where the machine cannot mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal class MountFactAttribute : FactAttribute
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

/// <summary>A test that mounts through fusermount3.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FusermountFactAttribute : MountFactAttribute
{
    public FusermountFactAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':');
        if (Skip is null && !folders.Any(static folder => File.Exists(Path.Combine(folder, "fusermount3"))))
        {
            Skip = "fusermount3 is not installed (package fuse3).";
        }
    }
}

/// <summary>Mounts are made one after another: the machine's load is part of what they wait for.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MountTestsDefinition
{
    public const string Name = "mounts";
}

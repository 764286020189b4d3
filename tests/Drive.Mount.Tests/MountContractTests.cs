namespace Drive.Mount.Tests;

/// <summary>The suite on the machine's own file system: shows that what it asks is what Linux does.</summary>
public sealed class NativeDirectoryTests(NativeDirectoryFixture fixture) : MountContract(fixture), IClassFixture<NativeDirectoryFixture>;

/// <summary>The suite on the drive itself: the daemon with a vault in a folder, behind the kernel, uploading meanwhile.</summary>
public sealed class DriveMountTests(DriveMountFixture fixture) : MountContract(fixture), IClassFixture<DriveMountFixture>;

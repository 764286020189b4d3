namespace Drive.Mount.Tests;

/// <summary>The suite on the machine's own file system: shows that what it asks is what Linux does.</summary>
public sealed class NativeDirectoryTests(NativeDirectoryFixture fixture) : MountContract(fixture), IClassFixture<NativeDirectoryFixture>;

/// <summary>The suite on the drive itself: the engine over a vault in a folder, behind the kernel, uploading meanwhile.</summary>
public sealed class DriveMountTests(DriveMountFixture fixture) : MountContract(fixture), IClassFixture<DriveMountFixture>;

/// <summary>The suite on the reference volume behind the kernel.</summary>
public sealed class ReferenceMountTests(ReferenceMountFixture fixture) : MountContract(fixture), IClassFixture<ReferenceMountFixture>;

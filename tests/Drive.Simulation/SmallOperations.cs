using Drive.Testing.Model;

namespace Drive.Simulation;

/// <summary>The model's operations on files so small that a run takes milliseconds; limits are as small (see <c>SimulatedWorld</c>), so the same edges are met.</summary>
internal static class SmallOperations
{
    private const int FileBytesMax = 90_000;
    private const int LengthMax = 9_000;

    /// <summary>With more fsyncs than the model has: one in so many.</summary>
    public static List<VolumeOperation> Generate(int seed, int count, int fsyncEvery)
    {
        Random random = new(seed);
        return [.. VolumeOperations.Generate(seed, count).Select(operation =>
            random.Next(fsyncEvery) == 0 ? new VolumeOperation(OperationKind.FsyncAll) : Reduce(operation))];
    }

    private static VolumeOperation Reduce(VolumeOperation operation) => operation with
    {
        Offset = operation.Offset % FileBytesMax,
        Length = 1 + (operation.Length % LengthMax),
        Value = operation.Kind == OperationKind.CopyRange ? operation.Value % FileBytesMax : operation.Value,
    };
}

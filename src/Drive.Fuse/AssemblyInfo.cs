using System.Runtime.CompilerServices;

// All structs that cross to the kernel are blittable: nothing is marshalled.
[assembly: DisableRuntimeMarshalling]

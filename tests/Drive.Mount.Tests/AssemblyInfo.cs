// Each class has a mount and programs of its own that keep both cores of a small machine busy; side by side they only wait for each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

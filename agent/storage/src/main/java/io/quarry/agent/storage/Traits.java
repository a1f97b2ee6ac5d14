package io.quarry.agent.storage;

/**
 * What a storage can do.
 *
 * @param largestImage the size in bytes of the largest image that a volume can hold, also when the
 *     volume is a fully written qcow2 file
 * @param frozenFiles how frozen volumes are protected, in the API's terms
 * @param writersSeen the hosts whose processes {@link VolumeStore#writer} sees, in the API's terms
 * @param devices whether volumes are block devices, after which {@link RepositoryStorage#tend} and
 *     {@link RepositoryStorage#grow} look
 */
public record Traits(long largestImage, String frozenFiles, String writersSeen, boolean devices) {}

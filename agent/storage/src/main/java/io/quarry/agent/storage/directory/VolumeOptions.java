package io.quarry.agent.storage.directory;

/**
 * What the parameters of a connection say of the files of volumes.
 *
 * @param group that volumes belong to; {@link DirectoryVolumes#ANY_GROUP} leaves them in the group
 *     of their makers
 * @param immutable whether frozen files are immutable for root, too
 */
public record VolumeOptions(int group, boolean immutable) {}

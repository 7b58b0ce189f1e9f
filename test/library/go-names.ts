/** Names that users know from Go, by package. Members are written `Type.Member`. */
export const goNames: Readonly<Record<string, string>> = {
  'distribution v3': `
    Scope Scope.Contains GlobalScope
    Namespace Namespace.Scope Namespace.Repository Namespace.Repositories Namespace.Blobs Namespace.BlobStatter
    Repository Repository.Named Repository.Manifests Repository.Blobs Repository.Tags
    RepositoryEnumerator RepositoryRemover
    ManifestService ManifestService.Exists ManifestService.Get ManifestService.Put ManifestService.Delete
    ManifestEnumerator Manifest Manifest.References Manifest.Payload
    UnmarshalManifest RegisterManifestSchema ManifestMediaTypes
    TagService TagService.Get TagService.Tag TagService.Untag TagService.All TagService.Lookup TagManifestsProvider
    BlobStore BlobStatter.Stat BlobProvider.Get BlobProvider.Open BlobIngester.Put BlobIngester.Create
    BlobIngester.Resume BlobServer.ServeBlob BlobDeleter.Delete BlobEnumerator.Enumerate
    BlobWriter BlobWriter.Write BlobWriter.ReadFrom BlobWriter.Size BlobWriter.ID BlobWriter.StartedAt
    BlobWriter.Commit BlobWriter.Cancel BlobWriter.Close
    BlobDescriptorService BlobDescriptorService.Stat BlobDescriptorService.SetDescriptor BlobDescriptorService.Clear
    BlobDescriptorServiceFactory
    ErrBlobExists ErrBlobDigestUnsupported ErrBlobUnknown ErrBlobUploadUnknown ErrBlobInvalidLength
    ErrBlobInvalidDigest ErrBlobInvalidDigest.Digest ErrBlobInvalidDigest.Reason
    ErrBlobMounted ErrBlobMounted.From ErrBlobMounted.Descriptor ErrAccessDenied ErrManifestNotModified
    ErrManifestUnknown ErrManifestUnknown.Name ErrManifestUnknown.Tag
    ErrManifestUnknownRevision ErrManifestUnknownRevision.Name ErrManifestUnknownRevision.Revision
    ErrManifestUnverified ErrManifestVerification ErrManifestBlobUnknown ErrManifestBlobUnknown.Digest
    ErrManifestNameInvalid ErrManifestNameInvalid.Name ErrManifestNameInvalid.Reason
    ErrSchemaV1Unsupported ErrRepositoryUnknown ErrRepositoryNameInvalid ErrTagUnknown ErrUnsupported
    health registry/auth registry/auth/htpasswd registry/auth/silly registry/auth/token
    registry/storage registry/storage/cache registry/storage/driver/azure registry/storage/driver/base
    registry/storage/driver/gcs registry/storage/driver/s3-aws registry/storage/driver/middleware/cloudfront`,
  'docker/docker/registry 27.0': `
    CertsDir SetCertsDir HostCertsDir ReadCertsDirectory ConvertToHostname GetAuthConfigKey Headers
    NewStaticCredentialStore ParseSearchIndexInfo PingV2Registry PingResponseError ResolveAuthConfig
    ValidateIndexName ValidateMirror ParseRepositoryInfo
    DefaultRegistryHost IndexHostname IndexServer IndexName AuthClientID DefaultV2Registry
    APIEndpoint APIEndpoint.Mirror APIEndpoint.URL APIEndpoint.Version APIEndpoint.AllowNondistributableArtifacts
    APIEndpoint.Official APIEndpoint.TrimHostname APIEndpoint.TLSConfig
    RepositoryInfo RepositoryInfo.Name RepositoryInfo.Index RepositoryInfo.Official RepositoryInfo.Class
    Service Service.Auth Service.IsInsecureRegistry Service.LookupPullEndpoints Service.LookupPushEndpoints
    Service.ReplaceConfig Service.ResolveRepository Service.Search Service.ServiceConfig
    ServiceOptions ServiceOptions.AllowNondistributableArtifacts ServiceOptions.Mirrors
    ServiceOptions.InsecureRegistries`,
  'A remote registry client': `
    DetectScheme IsDirectRequest WithDirectRequest ManifestAcceptHeader AuthProvider ChallengeCache TokenCache
    TokenOptions TokenOptions.ClientID TokenOptions.ForceAttemptOAuth2 TokenOptions.OfflineToken
    Client.Do NewRegistry NewRepository
    Registry.Name Registry.Ping Registry.GetVersion Registry.Repository Registry.ListRepositories Registry.ListTags
    Registry.GetReferrers Registry.ListReferrers Registry.GetBlob Registry.StatBlob Registry.DeleteBlob
    Registry.MountBlob Registry.PushBlob Registry.PushBlobChunked Registry.PushBlobChunkedResume
    Registry.GetManifest Registry.StatManifest Registry.PushManifest Registry.DeleteManifest
    Repository.Name Repository.Registry Repository.Blobs Repository.Manifests Repository.Tags`,
  'distribution v2, in its first form': `
    Layer Layer.Digest Layer.Length Layer.CreatedAt Layer.Seek Layer.Handler
    LayerUpload LayerUpload.UUID LayerUpload.StartedAt LayerUpload.Seek LayerUpload.Finish LayerUpload.Cancel
    ManifestService.GetByTag SignatureService SignatureService.Get SignatureService.Put`,
};
